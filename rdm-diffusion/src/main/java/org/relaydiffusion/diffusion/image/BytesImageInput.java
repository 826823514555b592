package org.relaydiffusion.diffusion.image;

import javax.imageio.stream.ImageInputStreamImpl;

/**
 * A picture file in memory, as ImageIO reads it. Unlike the JDK's own streams over memory it knows
 * its length, against which the JDK's TIFF reader then checks what the file claims.
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
   * Does nothing, as nothing is to be freed. An empty finalizer is none to the virtual machine;
   * that of the superclass would keep every picture's buffers until the next full collection.
   */
  @Override
  @SuppressWarnings({"deprecation", "removal", "Finalize"})
  protected void finalize() {}
}
