import CImages

/// A part of a picture, in whole pixels from its top left.
package struct PixelBox: Hashable, Sendable {
  package let x: Int
  package let y: Int
  package let width: Int
  package let height: Int

  package init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }
}

extension Picture {
  /// Pillow's `crop(box).resize((width, height), BILINEAR)`, to the bit up to Pillow 12 (13 takes columns before rows
  /// for some sizes, and differs by 1); nil takes the whole picture. It is antialiased: a smaller picture's pixel is a
  /// weighted mean of all that it covers.
  package func resized(width newWidth: Int, height newHeight: Int, from box: PixelBox? = nil) -> Picture {
    let box = box ?? PixelBox(x: 0, y: 0, width: width, height: height)
    precondition(
      box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0 && box.x <= width - box.width
        && box.y <= height - box.height && newWidth > 0 && newHeight > 0, "\(box) of \(width) x \(height)")
    if box.width == width && box.height == height && newWidth == width && newHeight == height { return self }
    return Picture(width: newWidth, height: newHeight, channels: channels) { output in
      withPixels { input in
        let status = ci_resize(
          input + (box.y * width + box.x) * channels, width * channels, Int32(box.width), Int32(box.height),
          Int32(channels), output, Int32(newWidth), Int32(newHeight))
        precondition(status == CI_OK, "no memory to resize \(box) to \(newWidth) x \(newHeight)")
      }
    }
  }

  /// torchvision's `Resize(size)`: the shorter side becomes `size`, the longer one in proportion, rounded down.
  package func resized(shorterSide size: Int) -> Picture {
    let longer = size * max(width, height) / min(width, height)
    return width <= height
      ? resized(width: size, height: longer) : resized(width: longer, height: size)
  }

  /// torchvision's `CenterCrop`: zeros around a picture that is smaller.
  package func centreCropped(width cropWidth: Int, height cropHeight: Int) -> Picture {
    if cropWidth == width && cropHeight == height { return self }
    // Half to even, as Python rounds; where the picture is smaller, the larger half of the zeros comes last.
    let left = cropWidth <= width ? Self.halved(width - cropWidth) : -((cropWidth - width) / 2)
    let top = cropHeight <= height ? Self.halved(height - cropHeight) : -((cropHeight - height) / 2)
    let columns = max(0, -left)..<min(cropWidth, width - left)
    return Picture(width: cropWidth, height: cropHeight, channels: channels) { output in
      output.update(repeating: 0, count: cropWidth * cropHeight * channels)
      withPixels { input in
        for y in max(0, -top)..<min(cropHeight, height - top) {
          (output + (y * cropWidth + columns.lowerBound) * channels).update(
            from: input + ((y + top) * width + columns.lowerBound + left) * channels, count: columns.count * channels)
        }
      }
    }
  }

  private static func halved(_ count: Int) -> Int {
    let half = count / 2
    return count % 2 == 0 ? half : half + half % 2
  }
}
