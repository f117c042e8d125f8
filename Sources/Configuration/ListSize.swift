import Formats
import Foundation
import Yams

/// How many entries a list has.
package enum ListSize: String {
  case any = "a list"
  case notEmpty = "a list of one or more"
  case two = "a list of two"

  func accepts(_ count: Int) -> Bool {
    switch self {
    case .any: true
    case .notEmpty: count > 0
    case .two: count == 2
    }
  }
}
