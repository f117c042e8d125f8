/// The data sets a configuration can name.
public enum DataFormat: String, CaseIterable, Sendable {
  case glyphs, cifar10, cifar100, idx
}

/// Random changes of a training image: crop out of 4 pixels of zero padding; mirror with probability one half.
public enum Augmentation: String, CaseIterable, Sendable {
  case padCrop = "pad-crop"
  case flip
}
