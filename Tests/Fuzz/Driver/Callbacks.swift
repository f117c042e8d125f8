import CFuzzer
import CMemoryWatch
import FuzzTargets

let target = CommandLine.arguments.dropFirst().first.flatMap(FuzzTarget.init)
// One input runs at a time.
nonisolated(unsafe) private let scratch = try! Scratch()

/// libFuzzer's loop, with its arguments after the target's name.
func runFuzzer() -> Int32 {
  var count = CommandLine.argc - 1
  // The program's name again, in the place of the target's.
  CommandLine.unsafeArgv[1] = CommandLine.unsafeArgv[0]
  var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
  // Here and not in main.swift, which without optimisation would hold a second symbol of that name.
  return LLVMFuzzerRunDriver(&count, &arguments, testOneInput)
}

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  let target = target!
  let input = Array(UnsafeBufferPointer(start: data, count: size))
  let allowed = target.allowance(for: input)
  mw_start()
  _ = target.run(input, in: scratch)
  let taken = mw_stop()
  // An input's first run also makes what lives for ever (tables, caches); the second shows the input's own needs.
  guard Int(taken.largest) > allowed.largest || Int(taken.peak) > allowed.peak else { return 0 }
  mw_start()
  let outcome = target.run(input, in: scratch)
  let again = mw_stop()
  if Int(again.largest) > allowed.largest || Int(again.peak) > allowed.peak {
    finding("\(size) bytes: allocated \(again.largest) at once, \(again.peak) in all; allowed \(allowed); \(outcome)")
  }
  return 0
}

/// libFuzzer's changes. A checkpoint also has them in its header or buffer alone, and then right checksums: without,
/// nearly every change is refused by its checksum, and what comes after it is never seen.
@_cdecl("LLVMFuzzerCustomMutator")
func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ limit: Int, _ seed: UInt32) -> Int {
  guard target == .checkpoint, seed % 4 != 0, size > 16 else { return LLVMFuzzerMutate(data, size, limit) }
  let length = UnsafeRawPointer(data).loadUnaligned(as: UInt64.self)
  var result: [UInt8]
  if length <= UInt64(size - 8), seed % 4 != 1 {
    var header = Array(UnsafeBufferPointer(start: data + 8, count: Int(length)))
    var buffer = Array(UnsafeBufferPointer(start: data + 8 + Int(length), count: size - 8 - Int(length)))
    if seed % 4 == 2 { change(&header, limit - size) } else { change(&buffer, limit - size) }
    result = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header + buffer
  } else {
    let changed = LLVMFuzzerMutate(data, size, limit)
    result = Array(UnsafeBufferPointer(start: data, count: changed))
  }
  repairChecksums(&result)
  let count = min(result.count, limit)
  data.update(from: result, count: count)
  return count
}

func change(_ bytes: inout [UInt8], _ room: Int) {
  let count = bytes.count
  bytes += [UInt8](repeating: 0, count: max(room, 0))
  let changed = bytes.withUnsafeMutableBufferPointer { LLVMFuzzerMutate($0.baseAddress, count, $0.count) }
  bytes.removeLast(bytes.count - changed)
}
