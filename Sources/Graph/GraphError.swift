import Runtime

/// A network that was asked for and cannot be had: what is wrong, and with which node.
package struct GraphError: ExitCoded, Equatable, CustomStringConvertible {
  package let description: String
  package let exitCode = ExitCode.usage
  package init(_ description: String) { self.description = description }
}
