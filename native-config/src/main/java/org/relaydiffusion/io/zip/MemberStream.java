// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io.zip;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** A stream of the content of one entry; memory does not grow with its size. Not thread-safe. */
final class MemberStream extends InputStream {
  private static final int CHUNK = 256 << 10;

  private final ZipArchive archive;
  private final ZipMember member;
  private final Inflater inflater = new Inflater(true);
  private byte[] chunk = {};
  private int at;
  private long taken;
  private long left;

  MemberStream(ZipArchive archive, ZipMember member) {
    this.archive = archive;
    this.member = member;
    this.left = member.size();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    int wanted = (int) Math.min(length, left);
    if (wanted == 0) {
      return -1;
    }
    int count = member.isStored() ? copy(target, offset, wanted) : inflate(target, offset, wanted);
    left -= count;
    return count;
  }

  /** In a stored entry, skipped bytes are not read. */
  @Override
  public long skip(long count) throws IOException {
    if (!member.isStored()) {
      return super.skip(count);
    }
    long skipped = Math.max(0, Math.min(count, left));
    int unread = (int) Math.min(skipped, chunk.length - at);
    at += unread;
    taken += skipped - unread;
    left -= skipped;
    return skipped;
  }

  private int copy(byte[] target, int offset, int length) {
    if (at == chunk.length) {
      fill();
    }
    int count = Math.min(length, chunk.length - at);
    System.arraycopy(chunk, at, target, offset, count);
    at += count;
    return count;
  }

  private int inflate(byte[] target, int offset, int length) throws IOException {
    try {
      while (true) {
        int count = inflater.inflate(target, offset, length);
        if (count > 0) {
          return count;
        }
        if (inflater.finished() || inflater.needsDictionary() || taken == member.packed()) {
          throw new IOException("its compressed data ends %s bytes too early".formatted(left));
        }
        fill();
        inflater.setInput(chunk);
      }
    } catch (DataFormatException e) {
      throw new IOException("its compressed data is not valid deflate data", e);
    }
  }

  private void fill() {
    int length = (int) Math.min(CHUNK, member.packed() - taken);
    chunk = archive.packed(member, taken, length);
    taken += length;
    at = 0;
  }

  @Override
  public void close() {
    left = 0;
    inflater.end();
  }
}
