import Foundation
import Glibc

/// What `launch/` tells the program by its environment.
package enum LaunchVariable {
  /// On how many hosts there have to be ranks.
  package static let hosts = "ICP_HOSTS"
  /// A file that says that the run came to its end.
  package static let endMark = "ICP_END_MARK"
}
