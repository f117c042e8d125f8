import Foundation

/// The folder that holds Package.swift.
package enum PackageRoot {
  package static let path = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent()  // Support
    .deletingLastPathComponent()  // Tests
    .deletingLastPathComponent()
    .path
}
