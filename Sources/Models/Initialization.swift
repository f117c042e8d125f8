/// A file's network: with its weights, or with first values of our own.
public enum Initialization: String, CaseIterable, Sendable {
  case file, fresh
}
