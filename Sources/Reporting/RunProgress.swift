/// How far a run is.
package struct RunProgress: Sendable {
  /// From 0.
  package var epoch: Int
  package var epochs: Int
  /// Steps done, and of the whole run.
  package var step: Int
  package var steps: Int
  /// The step that ends the epoch, or the run within it.
  package var epochEnd: Int
  /// The task's: the total falls with alpha, whatever the network learns. The mean of the epoch so far: one batch says
  /// little, and a smaller last one less.
  package var loss: Double
  package var imagesPerSecond: Double

  package init(
    epoch: Int, epochs: Int, step: Int, steps: Int, epochEnd: Int, loss: Double, imagesPerSecond: Double
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.step = step
    self.steps = steps
    self.epochEnd = epochEnd
    self.loss = loss
    self.imagesPerSecond = imagesPerSecond
  }

  /// `epoch  3/30  step    420/1200  loss 1.2345   512 images/s  left 0:05/1:23`: of the epoch, and of the run.
  package func line(secondsAStep: Double?) -> String {
    let left =
      secondsAStep.map { seconds in
        "  left \(duration(seconds * Double(max(epochEnd - step, 0))))/\(duration(seconds * Double(max(steps - step, 0))))"
      } ?? ""
    return "epoch \(pad(epoch + 1, like: epochs))/\(epochs)  step \(pad(step, like: steps))/\(steps)"
      + "  loss \(decimal(loss, places: 4))  \(Table.pad(decimal(imagesPerSecond, places: 0), to: 5)) images/s\(left)"
  }

  /// The line after a bar, never wider than `width` columns: a wrapped line could not be drawn over.
  package func bar(secondsAStep: Double?, width: Int) -> String {
    let text = line(secondsAStep: secondsAStep)
    let room = min(width - text.count - 4, 30)
    guard room >= 3 else { return String(text.prefix(max(width - 1, 0))) }
    let filled = steps > 0 ? min(max(step * room / steps, 0), room) : room
    return "[\(String(repeating: "#", count: filled))\(String(repeating: "-", count: room - filled))] \(text)"
  }

  private func pad(_ value: Int, like largest: Int) -> String {
    Table.pad(String(value), to: String(largest).count)
  }
}

/// "0:07", "12:34", "1:02:03"
package func duration(_ seconds: Double) -> String {
  // A rate of zero gives an endless time.
  guard seconds.isFinite, seconds < 1e9 else { return "?" }
  let whole = Int(max(seconds, 0).rounded())
  func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  let (hours, minutes) = (whole / 3600, whole / 60 % 60)
  return (hours > 0 ? "\(hours):\(two(minutes))" : "\(minutes)") + ":\(two(whole % 60))"
}

/// "1.2346" of 1.23456 with four places; "nan" and "inf" as they are.
package func decimal(_ value: Double, places: Int) -> String {
  let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
  let scaled = (value.magnitude * scale).rounded()
  guard scaled < 1e15 else { return "\(value)" }
  let digits = String(Int(scaled))
  let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
  let sign = value < 0 && scaled > 0 ? "-" : ""
  return sign + padded.dropLast(places) + (places > 0 ? ".\(padded.suffix(places))" : "")
}

/// "91.40 %"
package func percent(_ fraction: Double) -> String { "\(decimal(fraction * 100, places: 2)) %" }

/// Bytes for people: "512 MiB", "23.4 GiB".
package func sized(_ bytes: Int) -> String {
  bytes < 10 << 30 ? "\(bytes >> 20) MiB" : "\(decimal(Double(bytes) / 0x1p30, places: 1)) GiB"
}
