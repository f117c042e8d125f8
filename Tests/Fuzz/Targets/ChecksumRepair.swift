import Formats

/// A checkpoint's bytes with its checksums made right again, so that a changed one is not refused for them alone.
/// Nothing happens where there is nothing to repair.
package func repairChecksums(_ bytes: inout [UInt8]) {
  guard let file = try? SafetensorsFile(bytes: bytes, path: "") else { return }
  for tensor in file.tensors {
    let sum = file.withBytes(of: tensor) { Checksum.crc32($0) }
    put(Checksum.hexadecimal(sum), behind: "\"checksum.\(tensor.name)\":\"", in: &bytes, end: 8 + file.header.count)
  }
  put("00000000", behind: "\"checksum\":\"", in: &bytes, end: 8 + file.header.count)
  let sum = Checksum.crc32(Array(bytes[8..<8 + file.header.count]))
  put(Checksum.hexadecimal(sum), behind: "\"checksum\":\"", in: &bytes, end: 8 + file.header.count)
}

private func put(_ digits: String, behind text: String, in bytes: inout [UInt8], end: Int) {
  guard let place = bytes[..<end].firstRange(of: Array(text.utf8)), place.upperBound + 8 < end else { return }
  bytes.replaceSubrange(place.upperBound..<place.upperBound + 8, with: digits.utf8)
}
