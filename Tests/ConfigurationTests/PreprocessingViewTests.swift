import Configuration
import Datasets
import Images
import Testing

@Suite struct PreprocessingViewTests {
  /// In doubles 224 / 320 of 320 is 223.99.
  @Test(arguments: [(330, 320), (320, 330), (340, 320), (392, 343), (570, 380), (300, 225), (100, 57)])
  func `a picture is resized as the images of a run are, in whole numbers`(width: Int, height: Int) throws {
    let preprocessing = Preprocessing(
      Normalization(mean: [0.5], std: [0.25]), shape: ImageShape(channels: 1, height: 224, width: 224),
      classes: .count(2))
    let pixels = (0..<width * height).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / width &* 11) }
    let picture = Picture(width: width, height: height, channels: 1, pixels: pixels)
    let view = try preprocessing.view(RunConfiguration(yaml: "", name: "", readsData: false), path: "")
    #expect(view.apply(picture) == picture.resized(shorterSide: 224).centreCropped(width: 224, height: 224))
  }
}
