extension UInt8 {
  package var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

  private var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }

  /// What YAML takes in the name of an anchor.
  package var isAnchorCharacter: Bool {
    isDigit || isLetter || self == UInt8(ascii: "_") || self == UInt8(ascii: "-")
  }

  /// What a tensor's or layer's name may hold.
  package var isNameCharacter: Bool {
    isDigit || isLetter || self == UInt8(ascii: "_") || self == UInt8(ascii: ".")
  }
}
