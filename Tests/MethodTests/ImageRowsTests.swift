import Method
import Testing

@Suite struct `Rows of images` {
  private func rows() -> ImageRows { ImageRows("test", images: 9, width: 2, capacity: 9) }
  private func write(_ value: Float, _ images: [Int], to rows: ImageRows) {
    for image in images { rows.stage(image).update(repeating: value, count: 2) }
    rows.commit()
  }

  /// 16 bytes a row, so 1, 1, 2 or all of them in a round.
  @Test(arguments: [1, 16, 40, 1 << 20])
  func `reach every rank, in rounds of any size, and one round more tells that none is left`(most: Int) {
    let (one, other) = (rows(), rows())
    write(1, [0, 3, 4, 8], to: one)
    write(2, [1, 2, 7], to: other)
    var (next, otherNext) = (0, 0)
    var rounds = 0
    while true {
      let changes = [one.changes(from: &next, most: most), other.changes(from: &otherNext, most: most)]
      guard changes.contains(where: { !$0.isEmpty }) else { break }
      #expect(changes.allSatisfy { $0.count <= max(most, 16) })
      rounds += 1
      for rows in [one, other] { for changes in changes { rows.take(changes) } }
    }
    #expect(rounds == (most < 32 ? 4 : most == 40 ? 2 : 1))
    #expect(Array(one.values) == [1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 1, 1])
    #expect(Array(other.values) == Array(one.values))
    one.settle()
    next = 0
    #expect(one.changes(from: &next, most: most) == [])
  }
}
