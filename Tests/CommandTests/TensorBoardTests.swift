import Foundation
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(2))) struct TensorBoardTests {
  private struct Events: Decodable {
    struct Picture: Decodable {
      let step, width, height: Int
      /// As Pillow decodes it.
      let size: [Int]
    }
    struct Histogram: Decodable {
      let step: Int
      let min, max, num, sum, counted: Double
      let limits: [Double]
    }
    /// Step, value, time.
    let scalars: [String: [[Double]]]
    let images: [String: [Picture]]
    let histograms: [String: [Histogram]]
    let hparams: [String: String]
  }

  private static let script = """
    import sys, json, io
    from PIL import Image
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2
    everything = {"scalars": 0, "images": 0, "histograms": 0, "tensors": 0}
    events = EventAccumulator(sys.argv[1], size_guidance=everything).Reload()
    tags = events.Tags()
    def size(data): return list(Image.open(io.BytesIO(data)).convert("RGB").size)
    def histogram(e):
        h = e.histogram_value
        return {"step": e.step, "min": h.min, "max": h.max, "num": h.num, "sum": h.sum, "counted": sum(h.bucket),
                "limits": list(h.bucket_limit)}
    told = plugin_data_pb2.HParamsPluginData.FromString(
        events.PluginTagToContent("hparams")["_hparams_/session_start_info"])
    print(json.dumps({
        "scalars": {t: [[e.step, e.value, e.wall_time] for e in events.Scalars(t)] for t in tags["scalars"]},
        "images": {t: [{"step": e.step, "width": e.width, "height": e.height, "size": size(e.encoded_image_string)}
                       for e in events.Images(t)] for t in tags["images"]},
        "histograms": {t: [histogram(e) for e in events.Histograms(t)] for t in tags["histograms"]},
        "hparams": {k: str(getattr(v, v.WhichOneof("kind"))) for k, v in told.session_start_info.hparams.items()}}))
    """

  /// Of 20 steps in 4 epochs, stopped after step 7 and resumed.
  private func check(_ events: Events) throws {
    let ends = [5, 10, 15, 20]
    let pictures = try #require(events.images["pictures/x_0, x_T and their difference"])
    #expect(events.images.count == 1 && pictures.map(\.step) == ends)
    // Three rows of eight pictures of 12 x 12, 2 pixels apart.
    #expect(pictures.allSatisfy { $0.width == 114 && $0.height == 44 && $0.size == [114, 44] })
    let weights = events.histograms.keys.filter { $0.hasPrefix("weights/") }
    #expect(events.histograms["weights/fc.weight"]?[0].num == 640 && weights.contains("weights/layer1.0.conv1.weight"))
    #expect(events.histograms.count == 2 * weights.count)
    for (tag, values) in events.histograms {
      #expect(values.map(\.step) == ends, "\(tag)")
      for value in values {
        #expect(value.counted == value.num && value.min < value.max && value.limits.last == value.max, "\(tag)")
        #expect(zip(value.limits, value.limits.dropFirst()).allSatisfy { $0 < $1 } && value.limits[0] > value.min)
        #expect(value.min * value.num <= value.sum && value.sum <= value.max * value.num)
      }
    }
    #expect(events.hparams["icp.rule"] == "adam" && events.hparams["icp.steps"] == "2.0")
    #expect(events.hparams["training.shards"] == "5.0" && events.hparams["optimizer.learning_rate"] == "0.001")
    #expect(events.hparams["data.path"] == nil)
  }

  @Test func `the event file holds the numbers of the records, each once, over a resume`() throws {
    let tiny = try TinyRun()
    let settings = ["logging.tensorboard=true"]
    try tiny.train(settings + ["training.max_steps=7"]).expect(0)
    try tiny.train(settings, resume: "auto").expect(0)
    let file = tiny.path("run/events.out.tfevents.0000000000.icp")
    let size = try Data(contentsOf: URL(filePath: file)).count
    #expect(size > 1000)
    try tiny.train(["training.max_steps=1"], into: "without").expect(0)
    #expect(!FileManager.default.fileExists(atPath: tiny.path("without/events.out.tfevents.0000000000.icp")))

    let python = ProcessInfo.processInfo.environment["ICP_PYTHON"] ?? "python3"
    guard (try? Program.run(executable: python, ["-c", "import tensorboard"], timeLimit: 60))?.status == 0 else {
      print("SKIPPED: no Python with tensorboard (set ICP_PYTHON): no event file was read by TensorBoard")
      return
    }
    let outcome = try Program.run(executable: python, ["-c", Self.script, tiny.path("run")], timeLimit: 90)
    try #require(outcome.status == 0, "\(outcome.standardError)")
    let all = try JSONDecoder().decode(Events.self, from: Data(outcome.standardOutput.utf8))
    try check(all)
    let found = all.scalars
    var expected: [String: [(Double, Double)]] = [:]
    for record in try tiny.records() {
      for (name, value) in record.values where !["kind", "step", "epoch"].contains(name) {
        guard let number = value as? Double else { continue }
        expected["\(record.kind)/\(name)", default: []].append((Double(record.step), number))
      }
    }
    #expect(Set(found.keys) == Set(expected.keys) && found["step/task_loss"]?.count == 20)
    let now = Date().timeIntervalSince1970
    for (tag, values) in expected {
      let own = try #require(found[tag])
      #expect(own.map { $0[0] } == values.map(\.0), "\(tag)")
      #expect(zip(own, values).allSatisfy { Float($0[1]) == Float($1.1) }, "\(tag)")
      #expect(own.allSatisfy { now - 120 < $0[2] && $0[2] <= now })
    }
  }
}
