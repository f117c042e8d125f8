import CAllocationCounter
import Configuration
import Datasets
import Foundation
import Graph
import Kernels
import Loading
import MPI
import Method
import Models
import Planning
import Supervision
import Training

// What a step allocates and locks on the thread that computes, MPI's own and the loader's excepted, and how many sums
// over the ranks it starts. Prints a line before and after the counted steps of each kind, among what the kernels
// print (DNNL_VERBOSE), and last a line of JSON: {"control": {"allocations": [1], "locks": [1]}, "cyclic":
// {"allocations": [0, 0, 0], "locks": [0, 0, 0], "messages": [0, 0, 0]}, ...}, where control is one of each made on
// purpose.
//
//   allocation-probe [--backtraces] [KEY=VALUE ...]
//
// KEY=VALUE as --set of `icp train`, over a small ResNet on drawn images. `--backtraces` also prints from where; pipe
// it through `swift demangle`.

let configuration = """
  data: {format: glyphs, limit: 64, test_limit: 10, size: 12}
  model: {kind: resnet8}
  training: {batch_size: 32, shards: 2, threads: 1}
  icp: {steps: 2}
  """

/// The kinds of step, by how they run.
let kinds: [(name: String, stage: Stage, isLogged: Bool)] = [
  ("cyclic", .cyclic, false), ("logged", .cyclic, true), ("plain", .plain, false),
]

struct Counts: Encodable {
  var allocations: [Int] = []
  var locks: [Int] = []
  var messages: [Int] = []

  mutating func append(_ counts: ac_counts) {
    allocations.append(counts.allocations)
    locks.append(counts.locks)
    messages.append(counts.messages)
  }
}

let arguments = CommandLine.arguments.dropFirst()
let keepsPlaces = arguments.first == "--backtraces"
let settings = Array(arguments.dropFirst(keepsPlaces ? 1 : 0))

func countSteps(_ world: Communicator) throws -> [String: Counts] {
  let plan = try RunPlan(
    RunConfiguration(yaml: configuration, name: "allocation-probe", overrides: settings), ranks: world.size)
  KernelLibrary.setThreads(plan.configuration.training.threads)
  let clock = PhaseClock()
  let trainer = Trainer(
    plan: plan, model: ModelState(plan.network, seed: plan.configuration.training.seed), communicator: world,
    clock: clock)
  let loader = BatchLoader(
    plan.batches, shards: ShardPlan.shards(ofRank: world.rank, of: world.size, shards: plan.shards))
  defer { loader.stop() }
  var control = Counts()
  ac_start(0)
  ac_allocate_and_lock()
  control.append(ac_stop())
  var result = ["control": control]
  for kind in kinds {
    var counts = Counts()
    for step in 0..<5 {
      let batch = try loader.next()
      let context = StepContext(
        epoch: 0, batchCount: batch.count, stage: kind.stage, alpha: kind.stage == .cyclic ? 0.7 : 1,
        isLogged: kind.isLogged)
      let isCounted = step >= 2
      if step == 2 { ac_print_line("counting \(kind.name)") }
      if isCounted { ac_start(keepsPlaces ? 1 : 0) }
      clock.begin(step: step + 1)
      let finished = try trainer.step(batch, context, learningRate: 1e-3)
      let counted = ac_stop()
      precondition(finished.isTaken, "a step that was not taken")
      if isCounted { counts.append(counted) }
    }
    ac_print_line("counted \(kind.name)")
    result[kind.name] = counts
  }
  return result
}

do {
  var isFirst = true
  let counts = try World.run { world in
    isFirst = world.rank == 0
    return try countSteps(world)
  }
  // Under mpirun each rank counts, and the first one tells.
  if !isFirst { exit(0) }
  if keepsPlaces { ac_print_places() }
  let encoder = JSONEncoder()
  encoder.outputFormatting = .sortedKeys
  ac_print_line(String(decoding: try encoder.encode(counts), as: UTF8.self))
} catch {
  FileHandle.standardError.write(Data("allocation-probe: \(error)\n".utf8))
  World.abort(1)
}
