/// The numbers of a flat JSON object in a line, to the bit: JSONSerialization may miss the last digit. Without lists.
package func exactNumbers(ofLine line: some StringProtocol) -> [String: Double] {
  let members = String(line).dropFirst().dropLast().split(separator: ",\"")
  return members.reduce(into: [:]) { numbers, member in
    let parts = member.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let number = Double(parts[1]) else { return }
    numbers[parts[0].filter { $0 != "\"" }] = number
  }
}
