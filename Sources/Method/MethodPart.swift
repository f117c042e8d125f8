import Configuration
import Datasets
import Graph
import Kernels
import Refinement

/// A part of the method, or a baseline, as a configuration asks for it: known before anything is made of it.
package protocol MethodPart: Sendable {
  /// Nil where the configuration does not ask for it.
  init?(_ setting: MethodSetting) throws
  /// The network with what is trained beside it; as it is by default.
  func extended(_ network: Network) -> Network
  /// Nodes of the extended network whose outputs the part's loss reads; none by default.
  var taps: [Int] { get }
  /// Work that it adds to a step of plain training, in forward passes (METHOD, "Cost"); none by default.
  func passes(in stage: Stage) -> Double
  /// What it takes; nothing by default.
  func memory(_ memory: MethodMemory) -> MemoryUse
  /// Numbers that it keeps of the training images, for the network as it is extended; none by default.
  func imageValues(_ network: Network) -> Int
  /// Adds its transforms and loss terms, or sets how the gradient is taken. The student's features from `firstTap` on
  /// are those of `taps`.
  func join(_ builder: MethodBuilder, firstTap: Int)
}

extension MethodPart {
  package func extended(_ network: Network) -> Network { network }
  package var taps: [Int] { [] }
  package func passes(in stage: Stage) -> Double { 0 }
  package func memory(_ memory: MethodMemory) -> MemoryUse { MemoryUse() }
  package func imageValues(_ network: Network) -> Int { 0 }
}
