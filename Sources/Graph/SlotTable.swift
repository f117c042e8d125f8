/// Stretches of memory with the times between which each is in use; `pack` lays them out so that no two overlap that
/// are in use together.
struct SlotTable {
  struct Slot {
    /// Of a sample, in whole cache lines, so that every slot is aligned at any batch size.
    var bytes: Int
    var uses: [Int]
    var first: Int { uses.min()! }
    var last: Int { uses.max()! }
  }

  private(set) var slots: [Slot] = []

  mutating func add(bytes: Int, at time: Int) -> Int {
    slots.append(Slot(bytes: (bytes + 63) / 64 * 64, uses: [time]))
    return slots.count - 1
  }

  mutating func use(_ slot: Int, at time: Int) { slots[slot].uses.append(time) }

  /// The offset of each slot and the size of the whole. Times are compared in units of `resolution`. The largest are
  /// placed first, each as low as it goes.
  func pack(resolution: Int) -> (offsets: [Int], size: Int) {
    let spans = slots.map { $0.first / resolution...$0.last / resolution }
    var offsets = Array(repeating: 0, count: slots.count)
    var placed: [Int] = []
    for slot in slots.indices.sorted(by: { (slots[$1].bytes, $0) < (slots[$0].bytes, $1) }) {
      var offset = 0
      let rivals = placed.filter { spans[$0].overlaps(spans[slot]) }.sorted { offsets[$0] < offsets[$1] }
      for rival in rivals {
        if offset + slots[slot].bytes <= offsets[rival] { break }
        offset = max(offset, offsets[rival] + slots[rival].bytes)
      }
      offsets[slot] = offset
      placed.append(slot)
    }
    return (offsets, slots.indices.map { offsets[$0] + slots[$0].bytes }.max() ?? 0)
  }
}
