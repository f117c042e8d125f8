import Graph
import Testing

@Suite struct `Orders of axes` {
  @Test func `a reshape keeps memory where merged axes lie together`() {
    let map = SampleShape(8, 3, 4)
    let last = AxisOrder.channelsLast(3)
    #expect(last.reshaped(from: map, to: SampleShape(8, 12)) == AxisOrder([1, 0]))
    #expect(last.reshaped(from: map, to: SampleShape(2, 4, 3, 4)) == AxisOrder([2, 3, 0, 1]))
    #expect(last.reshaped(from: map, to: SampleShape(96)) == nil)
    #expect(AxisOrder.rowMajor(3).reshaped(from: map, to: SampleShape(96)) == AxisOrder([0]))
    #expect(last.reshaped(from: SampleShape(8, 1, 1), to: SampleShape(8)) == AxisOrder([0]))
    // ShuffleNet's exchange of groups and channels has to move them.
    #expect(AxisOrder([2, 3, 1, 0]).reshaped(from: SampleShape(4, 2, 3, 4), to: SampleShape(8, 3, 4)) == nil)
  }

  @Test func `axes of one element may be anywhere`() {
    #expect(AxisOrder.channelsLast(3).matches(.rowMajor(3), for: SampleShape(8, 1, 1)))
    #expect(!AxisOrder.channelsLast(3).matches(.rowMajor(3), for: SampleShape(8, 2, 1)))
  }

  @Test func `strides are those of the order, and 0 along axes of one element`() {
    #expect(Value(SampleShape(8, 3, 4), order: .channelsLast(3)).strides == [1, 32, 8])
    #expect(Value(SampleShape(8, 1, 4), order: .rowMajor(3)).strides == [4, 0, 1])
  }

  @Test func `ONNX's axes count the batch`() throws {
    #expect(try SampleShape(8, 3, 4).axis(1) == 0)
    #expect(try SampleShape(8, 3, 4).axis(-1) == 2)
    #expect(throws: GraphError.self) { try SampleShape(8, 3, 4).axis(0) }
    #expect(throws: GraphError.self) { try SampleShape(8, 3, 4).axis(-4) }
    #expect(throws: GraphError.self) { try SampleShape(8, 3, 4).axis(4) }
  }
}
