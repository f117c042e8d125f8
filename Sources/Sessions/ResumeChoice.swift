/// Whether a run goes on from a checkpoint.
package enum ResumeChoice: Sendable, Equatable {
  /// Not said: a directory that holds checkpoints is refused.
  case unsaid
  case auto
  case never
  case path(String)

  package init(_ text: String?) {
    switch text {
    case nil: self = .unsaid
    case "auto": self = .auto
    case "never": self = .never
    case .some(let path): self = .path(path)
    }
  }
}
