import Configuration
import Yams

/// Successive halving (Jamieson and Talwalkar 2016), `search: {method: halving}`: all trials are run on a few seeds or
/// for part of the epochs, the better ones on more, and so on; what is left after the last rung's runs is compared as
/// in any search. Every run is an ordinary one of its length, so who stays follows from the runs on the disk alone.
package struct Halving {
  struct Rung {
    /// How many of the study's, from the first on.
    let seeds: Int
    /// Times the variant's.
    let epochs: Double
  }

  /// The last one has all seeds and the whole length.
  let rungs: [Rung]
  /// The share of a rung's trials that go on.
  let keep: Double

  /// What runs of part of the epochs are of, beside the whole ones.
  var shortLengths: [Double] {
    rungs.map(\.epochs).reduce(into: []) { if $1 != 1, !$0.contains($1) { $0.append($1) } }
  }

  /// `adam-01` for the whole length, `adam-01-epochs-0.25` for a part of it.
  func name(of trial: String, epochs: Double) -> String {
    epochs == 1 ? trial : "\(trial)-epochs-\(YAMLText.number(epochs))"
  }

  /// The first rung that wants a run of that length and seed; nil where none does.
  func rung(epochs: Double, seed: Int) -> Int? { rungs.firstIndex { $0.epochs == epochs && seed < $0.seeds } }

  /// How many of `count` trials go on.
  func remaining(of count: Int) -> Int { max(1, Int((keep * Double(count) - 1e-9).rounded(.up))) }
}

/// Of a search by halving: whose run it is, and the rung that first wants it.
struct TrialRung {
  var variant, trial: String
  var epochs: Double
  var rung: Int
}

extension SweepReader {
  /// Of the fields of a search; `seeds`: how many the study has.
  func halving(_ fields: [String: Node], seeds: Int, at node: Node) throws(ConfigurationError) -> Halving {
    guard let list = fields["rungs"], let sequence = list.sequence, sequence.count > 1 else {
      throw source.error(
        "'rungs' is missing: method halving needs two or more, such as [{seeds: 1, epochs: 0.25}, {seeds: 1}, {}]",
        at: fields["rungs"]?.position ?? node.position)
    }
    var rungs: [Halving.Rung] = []
    for entry in sequence {
      let fields = try self.fields(of: entry, "'seeds' and 'epochs'", known: ["seeds", "epochs"])
      let count =
        try fields["seeds"].map { node throws(ConfigurationError) in
          try value(node, "seeds", .integer(from: 1, to: seeds))
        } ?? seeds
      let epochs =
        try fields["epochs"].map { node throws(ConfigurationError) in
          try value(node, "epochs", ValueForm<Double>.number("> 0 and <= 1") { $0 > 0 && $0 <= 1 })
        } ?? 1
      rungs.append(Halving.Rung(seeds: count, epochs: epochs))
    }
    guard let last = rungs.last, last.seeds == seeds, last.epochs == 1 else {
      throw source.error(
        "key 'rungs': the last one decides, and has all \(seeds) seeds and the whole epochs: {}",
        at: list.position)
    }
    let keep =
      try fields["keep"].map { node throws(ConfigurationError) in
        try value(node, "keep", ValueForm<Double>.number("> 0 and < 1") { $0 > 0 && $0 < 1 })
      } ?? 0.5
    return Halving(rungs: rungs, keep: keep)
  }
}
