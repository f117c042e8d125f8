import Kernels

/// Bytes that a test can predict nothing of by accident.
package func randomBytes(_ count: Int, seed: Int = 0) -> [UInt8] {
  var stream = RandomStream(seed: seed, purpose: .test)
  return (0..<count).map { _ in UInt8(truncatingIfNeeded: stream.next()) }
}
