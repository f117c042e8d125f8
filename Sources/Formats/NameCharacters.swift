extension UInt8 {
  package var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

  private var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }

  /// What YAML takes in the name of an anchor.
  package var isAnchorCharacter: Bool {
    isDigit || isLetter || self == UInt8(ascii: "_") || self == UInt8(ascii: "-")
  }

  /// What a name in a configuration may hold.
  package var isNameCharacter: Bool {
    isDigit || isLetter || self == UInt8(ascii: "_") || self == UInt8(ascii: ".")
  }
}

extension String {
  /// Of a parameter, as PyTorch and other exporters name it: `block1-0.f.a.weight`, `onnx::Conv_193`. At most 200
  /// characters of ASCII, none of them a space, a quote or a backslash.
  package var isParameterName: Bool { (1...200).contains(utf8.count) && utf8.allSatisfy(\.isNamePart) }
  /// In a checkpoint, where a parameter's name may follow what is kept for it (`optimizer.exp_avg.`).
  package var isTensorName: Bool { (1...250).contains(utf8.count) && utf8.allSatisfy(\.isNamePart) }
}

extension UInt8 {
  fileprivate var isNamePart: Bool {
    (UInt8(ascii: "!")...UInt8(ascii: "~")).contains(self) && self != UInt8(ascii: "\"") && self != UInt8(ascii: "\\")
  }
}
