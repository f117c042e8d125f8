/// The data sets a configuration can name.
public enum DataFormat: String, CaseIterable, Sendable {
  case auto, glyphs, cifar10, cifar100, idx, images, npz, npy
}
