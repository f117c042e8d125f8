import Datasets
import MPI
import Models
import Planning
import Supervision

/// What `icp robustness` measures.
package enum RobustnessCheck: String, CaseIterable, Sendable {
  case corruptions, attacks
}
