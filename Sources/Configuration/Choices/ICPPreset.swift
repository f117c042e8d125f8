/// Whose choices the refinement's other keys follow by default.
package enum ICPPreset: String, CaseIterable, Sendable {
  case none
  case publishedCode = "published-code"
}
