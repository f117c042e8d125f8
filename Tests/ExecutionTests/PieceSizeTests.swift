import Execution
import Graph
import Models
import Testing

@Suite struct `A piece` {
  private func network(_ kind: ModelKind, size: Int) throws -> Network {
    try Network.make(ModelChoice(kind: kind, hidden: [256]), input: SampleShape(3, size, size), classes: 10)
  }

  @Test func `holds as many samples as the cache does where weights are few`() throws {
    let few = try network(.resnet20, size: 32)
    #expect(PieceSize.frozen(few) == 4 && PieceSize.training(few) == 8)
  }

  @Test func `grows until its samples read and write as much as the weights, or take 64 MiB`() throws {
    let many = try network(.resnet18, size: 64)
    #expect(PieceSize.frozen(many) == 16 && PieceSize.training(many) == 16)
    #expect(PieceSize.frozen(try network(.mlp, size: 8)) == 32)
    // Here maps are more than weights.
    #expect(PieceSize.frozen(try network(.resnet18, size: 512)) == 1)
  }
}
