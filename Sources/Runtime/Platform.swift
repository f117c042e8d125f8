import Glibc

/// What bits can depend on besides the configuration, and what a message says of where it comes from.
package enum Platform {
  /// Changes with every change of the kernels that changes bits: a run resumed from a checkpoint of another one says
  /// that it is not bit-reproducible.
  package static let version = "0.2.0"

  package static var host: String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, 255)
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
