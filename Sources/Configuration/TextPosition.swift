import Yams

/// A place in a text, both from 1; columns count Unicode scalars.
package struct TextPosition {
  private(set) var line = 1
  private(set) var column = 1

  init() {}

  init(_ mark: Mark) { (line, column) = (mark.line, mark.column) }

  mutating func pass(_ scalar: Unicode.Scalar) {
    (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
  }
}

extension Node {
  package var position: TextPosition? { mark.map { TextPosition($0) } }
}
