// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** One request as bytes, as a client writes it. */
final class Request {
  /** What a client of c10d puts in front of each key. */
  private static final String PREFIX = "/";

  private ByteBuffer bytes = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);

  private Request(Query query) {
    bytes.put(query.code());
  }

  static Request of(Query query) {
    return new Request(query);
  }

  Request number(int value) {
    room(Integer.BYTES).putInt(value);
    return this;
  }

  Request number(long value) {
    room(Long.BYTES).putLong(value);
    return this;
  }

  Request key(String key) throws IOException {
    return sized((PREFIX + key).getBytes(UTF_8), Query.LONGEST_KEY, "key");
  }

  Request keys(List<String> keys) throws IOException {
    number((long) keys.size());
    for (String key : keys) {
      key(key);
    }
    return this;
  }

  Request value(byte[] value) throws IOException {
    return sized(value, Query.LONGEST_VALUE, "value");
  }

  private Request sized(byte[] content, int longest, String what) throws IOException {
    if (content.length > longest) {
      throw new Query.ProtocolException(
          "a %s of %s bytes is longer than a TCPStore's %s"
              .formatted(what, content.length, longest));
    }
    number((long) content.length);
    room(content.length).put(content);
    return this;
  }

  private ByteBuffer room(int more) {
    if (bytes.remaining() < more) {
      ByteBuffer larger =
          ByteBuffer.allocate(Math.max(2 * bytes.capacity(), bytes.position() + more))
              .order(ByteOrder.LITTLE_ENDIAN);
      bytes = larger.put(bytes.flip());
    }
    return bytes;
  }

  /** What is to be sent. */
  ByteBuffer bytes() {
    return bytes.flip();
  }
}
