import Files

/// Values by name, converted to the two types this program computes with.
extension SafetensorsFile {
  /// F32, or F64, F16 and BF16 converted; row-major.
  package func floats(_ name: String) throws(FileError) -> [Float] {
    let tensor = try find(name)
    return switch tensor.type {
    case .float32: load(tensor, as: Float.self) { $0 }
    case .float64: try narrowed(tensor)
    case .float16: load(tensor, as: Float16.self, Float.init)
    // bfloat16 is the upper half of a float.
    case .bfloat16: load(tensor, as: UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    default: throw mismatch(tensor, expected: "F32, F64, F16 or BF16")
    }
  }

  /// I64, or I32 and U8 converted; row-major.
  package func integers(_ name: String) throws(FileError) -> [Int64] {
    let tensor = try find(name)
    return switch tensor.type {
    case .int64: load(tensor, as: Int64.self) { $0 }
    case .int32: load(tensor, as: Int32.self, Int64.init)
    case .uint8: load(tensor, as: UInt8.self, Int64.init)
    default: throw mismatch(tensor, expected: "I64, I32 or U8")
    }
  }

  /// Floats or integers, whichever the file holds. Not U8: as integers of eight bytes they would be eight times the
  /// file.
  package func tensor(_ name: String) throws(FileError) -> NamedTensor {
    let info = try find(name)
    switch info.type {
    case .int64, .int32: return NamedTensor(name, shape: info.shape, integers: try integers(name))
    default: return NamedTensor(name, shape: info.shape, floats: try floats(name))
    }
  }

  /// Float64 as float32. Throws where a finite value would become infinite.
  private func narrowed(_ tensor: TensorInfo) throws(FileError) -> [Float] {
    let values = load(tensor, as: Double.self, Float.init)
    guard values.contains(where: \.isInfinite) else { return values }
    let wide = load(tensor, as: Double.self) { $0 }
    guard let beyond = wide.indices.first(where: { wide[$0].isFinite && values[$0].isInfinite }) else { return values }
    throw FileError(
      path: path,
      reason: "tensor \(quoted(tensor.name)): value \(beyond) is \(wide[beyond]), which float32 cannot hold")
  }

  private func find(_ name: String) throws(FileError) -> TensorInfo {
    guard let tensor = self[name] else { throw FileError(path: path, reason: "no tensor \(quoted(name))") }
    return tensor
  }

  private func mismatch(_ tensor: TensorInfo, expected: String) -> FileError {
    FileError(
      path: path, reason: "tensor \(quoted(tensor.name)) is \(tensor.type.rawValue), expected \(expected)")
  }

  /// The buffer follows a header of any length in foreign files, so elements may be unaligned.
  private func load<Stored: BitwiseCopyable, Value>(
    _ tensor: TensorInfo, as type: Stored.Type, _ convert: (Stored) -> Value
  ) -> [Value] {
    withBytes(of: tensor) { bytes in
      (0..<tensor.count).map {
        convert(bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Stored>.size, as: Stored.self))
      }
    }
  }
}
