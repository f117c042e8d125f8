import Images
import Pictures

// What users of data sets name without naming where pictures come from.
package typealias ImageShape = Images.ImageShape
package typealias PictureIndex = Pictures.PictureIndex
public typealias BadFiles = Pictures.BadFiles
package typealias Augmentation = Images.Augmentation
package typealias Corruption = Images.Corruption
