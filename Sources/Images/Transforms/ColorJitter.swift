/// Brightness, contrast, saturation and hue changed at random, in a random order: torchvision's ColorJitter.
package struct ColorJitter: ImageTransform {
  package static let name = "color-jitter"
  package static let parameters: [TransformParameter] = [
    .number("brightness", 0, from: 0, to: 10), .number("contrast", 0, from: 0, to: 10),
    .number("saturation", 0, from: 0, to: 10), .number("hue", 0, from: 0, to: 0.5),
  ]

  package enum Change: Int, CaseIterable, Sendable { case brightness, contrast, saturation, hue }

  /// Of each change, how far its factor may be from 1; of hue, from 0, in turns of the colour wheel.
  let strengths: [Double]

  package init(values: [[Double]]) { strengths = values.map { $0[0] } }

  package var changesPixels: Bool { strengths.contains { $0 > 0 } }

  /// What is done, in order; changes of no strength are left out, and draw their numbers all the same.
  package func draw(at address: SampleAddress) -> [(change: Change, factor: Double)] {
    var stream = address.stream(.colorJitter)
    var steps = Change.allCases.map { change in
      let strength = strengths[change.rawValue]
      let least = change == .hue ? -strength : max(0, 1 - strength)
      let most = change == .hue ? strength : 1 + strength
      return (change: change, factor: stream.uniform(in: least...most))
    }
    stream.shuffle(&steps)
    return steps.filter { strengths[$0.change.rawValue] > 0 }
  }

  package func changed(_ picture: Picture, to size: PixelSize, at address: SampleAddress) -> Picture {
    draw(at: address).reduce(picture) { $0.changed($1.change, by: $1.factor) }
  }
}

extension Picture {
  package func changed(_ change: ColorJitter.Change, by factor: Double) -> Picture {
    switch change {
    case .brightness: brightness(factor)
    case .contrast: contrast(factor)
    case .saturation: saturation(factor)
    case .hue: hueShifted(by: factor)
    }
  }
}
