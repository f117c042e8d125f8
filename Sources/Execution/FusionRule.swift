/// What finds chains of nodes in a draft that one kernel can do.
package protocol FusionRule: Sendable {
  func apply(to draft: inout Draft)
}
