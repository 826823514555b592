// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.charset.Charset;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Writes to standard output or standard error of this process. Unlike {@link PrintWriter}, it also
 * keeps the reason why something could not be written.
 */
final class StandardWriter extends PrintWriter {
  private final Sink sink;

  private StandardWriter(Sink sink, Charset charset) {
    super(sink, true, charset);
    this.sink = sink;
  }

  /** Creates a writer to a stream that this process was started with. */
  static StandardWriter of(FileDescriptor stream, Charset charset) {
    return new StandardWriter(new Sink(new FileOutputStream(stream)), charset);
  }

  /**
   * Flushes, and returns the reason why something could not be written, such as "no space left on
   * device". Empty if everything was written, or if the reader has closed its end of a pipe.
   */
  Optional<String> failure() {
    if (!checkError() || sink.failure == null) {
      return Optional.empty();
    }
    String reason = String.valueOf(sink.failure.getMessage());
    return reason.equals(closedPipe())
        ? Optional.empty()
        : Optional.of(Character.toLowerCase(reason.charAt(0)) + reason.substring(1));
  }

  /** Returns the system's message for a pipe whose reader has closed it, in the user's language. */
  private static @Nullable String closedPipe() {
    try {
      Pipe pipe = Pipe.open();
      try (Pipe.SinkChannel end = pipe.sink()) {
        pipe.source().close();
        end.write(ByteBuffer.allocate(1));
        return null;
      }
    } catch (IOException e) {
      return e.getMessage();
    }
  }

  /** The stream itself, which keeps its first error. */
  private static final class Sink extends OutputStream {
    private final FileOutputStream stream;
    private volatile @Nullable IOException failure;

    Sink(FileOutputStream stream) {
      this.stream = stream;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int count) throws IOException {
      try {
        stream.write(bytes, offset, count);
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        }
        throw e;
      }
    }
  }
}
