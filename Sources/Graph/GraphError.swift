/// A network that was asked for and cannot be had: what is wrong, and with which node.
package struct GraphError: Error, Equatable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
