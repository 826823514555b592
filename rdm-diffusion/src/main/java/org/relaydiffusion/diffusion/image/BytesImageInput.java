// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import javax.imageio.stream.ImageInputStreamImpl;

/**
 * An image file in memory, as input of ImageIO. Unlike the JDK's own streams on memory, it has a
 * known length, with which the JDK's TIFF reader can validate the file.
 */
final class BytesImageInput extends ImageInputStreamImpl {
  private final byte[] bytes;

  BytesImageInput(byte[] bytes) {
    this.bytes = bytes;
  }

  @Override
  public int read() {
    bitOffset = 0;
    return streamPos < bytes.length ? bytes[(int) streamPos++] & 0xff : -1;
  }

  @Override
  public int read(byte[] into, int offset, int length) {
    bitOffset = 0;
    if (streamPos >= bytes.length) {
      return length == 0 ? 0 : -1;
    }
    int count = (int) Math.min(length, bytes.length - streamPos);
    System.arraycopy(bytes, (int) streamPos, into, offset, count);
    streamPos += count;
    return count;
  }

  @Override
  public long length() {
    return bytes.length;
  }

  /**
   * Does nothing, because there is nothing to free. The virtual machine ignores an empty finalizer;
   * that of the superclass would keep the buffers of every image until the next full collection.
   */
  @Override
  @SuppressWarnings({"deprecation", "removal", "Finalize"})
  protected void finalize() {}
}
