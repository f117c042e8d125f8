/// Whether a refined image is kept within what pixels can show.
package enum ClampKind: String, CaseIterable, Sendable {
  case none, pixels
}
