import CKernels
import Graph

/// A walk through a sample of one value in the order of its memory, with the strides of others beside it: axes that lie
/// together in all of them are one. At most five axes are left, and five loops run them in C.
struct StridedLoop {
  /// Extents, outermost first, and for each value that goes beside, its strides; exactly `SampleShape.maximumRank` of
  /// each.
  private(set) var loop = ck_loop()
  private let count: Int
  /// Elements from a sample of each operand to the next.
  private let sampleStrides: [Int]

  /// `strides`: of each operand, along the axes of `value`; 0 where it is repeated.
  /// `sampleStrides`: elements of a sample of each; as many as `value` has unless given.
  init(walking value: Value, strides: [[Int]], sampleStrides: [Int]? = nil) {
    count = value.count
    self.sampleStrides = sampleStrides ?? strides.map { _ in value.count }
    precondition(strides.count <= 2, "\(strides.count) operands")
    var extents: [Int] = []
    var steps: [[Int]] = strides.map { _ in [] }
    for axis in value.order.axes where value.shape[axis] > 1 {
      let extent = value.shape[axis]
      let isTogether =
        !extents.isEmpty && strides.indices.allSatisfy { steps[$0].last! == strides[$0][axis] * extent }
      if isTogether {
        extents[extents.count - 1] *= extent
        for operand in strides.indices { steps[operand][extents.count - 1] = strides[operand][axis] }
      } else {
        extents.append(extent)
        for operand in strides.indices { steps[operand].append(strides[operand][axis]) }
      }
    }
    let missing = Int(CK_LOOP_RANK) - extents.count
    extents = Array(repeating: 1, count: missing) + extents
    steps = steps.map { Array(repeating: 0, count: missing) + $0 }
    Self.fill(&loop.extents, extents)
    if steps.count > 0 { Self.fill(&loop.first, steps[0]) }
    if steps.count > 1 { Self.fill(&loop.second, steps[1]) }
  }

  private static func fill<Array>(_ array: inout Array, _ values: [Int]) {
    withUnsafeMutableBytes(of: &array) { bytes in
      for (index, value) in values.enumerated() { bytes.storeBytes(of: value, toByteOffset: index * 8, as: Int.self) }
    }
  }

  /// Hands the loop to a function in C.
  func with(_ body: (UnsafePointer<ck_loop>) -> Void) { withUnsafePointer(to: loop, body) }

  /// y, in the order of the walk, from the operand's elements.
  func copy(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, samples: Int) {
    withUnsafePointer(to: loop) { loop in
      for sample in 0..<samples { ck_copy_strided(loop, x + sample * sampleStrides[0], y + sample * count) }
    }
  }

  /// The other way round: the operand's elements += y.
  func addBack(_ y: UnsafePointer<Float>, into x: UnsafeMutablePointer<Float>, samples: Int) {
    withUnsafePointer(to: loop) { loop in
      for sample in 0..<samples { ck_add_strided(loop, y + sample * count, x + sample * sampleStrides[0]) }
    }
  }
}
