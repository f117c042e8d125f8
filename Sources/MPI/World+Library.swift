import CMPI
import Foundation

/// What the MPI library is and how it has been set; during `run` only.
extension World {
  /// "single", "funneled", "serialized" or "multiple".
  package static func threadLevel() throws(MPIError) -> String {
    var level: Int32 = 0
    try check("MPI_Query_thread", MPI_Query_thread(&level))
    switch level {
    case Int32(MPI_THREAD_SINGLE): return "single"
    case Int32(MPI_THREAD_FUNNELED): return "funneled"
    case Int32(MPI_THREAD_SERIALIZED): return "serialized"
    default: return "multiple"
    }
  }

  /// Open MPI's parameters as they are in force in this process, wherever they were set: on mpirun's command line, in
  /// the environment or in a file. The corresponding C functions are those of `MPI_T_cvar`.
  package struct Parameters: ~Copyable {
    package init() throws(MPIError) {
      var level: Int32 = 0
      try check("MPI_Query_thread", MPI_Query_thread(&level))
      // Open MPI 4.1 takes what is asked for here as the level of all of MPI.
      try check("MPI_T_init_thread", MPI_T_init_thread(level, &level))
    }

    deinit { MPI_T_finalize() }

    /// A text, a number, or the name of a choice; nil where this library, or the part of it that is in use, has no such
    /// parameter.
    package func value(_ name: String) -> String? {
      var index: Int32 = 0
      guard MPI_T_cvar_get_index(name, &index) == MPI_SUCCESS else { return nil }
      var (nameLength, textLength, verbosity, binding, scope): (Int32, Int32, Int32, Int32, Int32) = (0, 0, 0, 0, 0)
      var type: MPI_Datatype?
      var choices: MPI_T_enum?
      var handle: MPI_T_cvar_handle?
      var count: Int32 = 0
      guard
        MPI_T_cvar_get_info(
          index, nil, &nameLength, &verbosity, &type, &choices, nil, &textLength, &binding, &scope) == MPI_SUCCESS,
        MPI_T_cvar_handle_alloc(index, nil, &handle, &count) == MPI_SUCCESS
      else { return nil }
      defer { MPI_T_cvar_handle_free(&handle) }
      // Values have 8 bytes at most; a text has `count` characters.
      var buffer = [UInt8](repeating: 0, count: max(8, Int(count)) + 1)
      guard MPI_T_cvar_read(handle, &buffer) == MPI_SUCCESS else { return nil }
      if type == cmpi_char() { return String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self) }
      let number = buffer.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
      return Self.choice(number, of: choices) ?? "\(number)"
    }

    /// Whether a rank that waits lets others have its core, as the library is told to; nil of one that does not say.
    package var yieldsWhenIdle: Bool? {
      guard let name = MPIFamily.own.yieldParameter else { return nil }
      return ["1", "t", "true", "yes", "enabled"].contains(value(name) ?? "")
    }

    private static func choice(_ value: Int32, of choices: MPI_T_enum?) -> String? {
      var count: Int32 = 0
      var length: Int32 = 0
      guard let choices, MPI_T_enum_get_info(choices, &count, nil, &length) == MPI_SUCCESS else { return nil }
      for index in 0..<count {
        var item: Int32 = 0
        var name = [CChar](repeating: 0, count: 64)
        length = Int32(name.count)
        if MPI_T_enum_get_item(choices, index, &item, &name, &length) == MPI_SUCCESS, item == value {
          return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
      }
      return nil
    }
  }
}
