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
 * Standard output or standard error of this process. A {@link PrintWriter} knows only that
 * something could not be written; this one also knows why.
 */
final class StandardWriter extends PrintWriter {
  private final Sink sink;

  private StandardWriter(Sink sink, Charset charset) {
    super(sink, true, charset);
    this.sink = sink;
  }

  /** A writer to a stream that this process was started with. */
  static StandardWriter of(FileDescriptor stream, Charset charset) {
    return new StandardWriter(new Sink(new FileOutputStream(stream)), charset);
  }

  /**
   * Flushes, and says why something could not be written, as in "no space left on device". Empty
   * when all was, and when the reader has closed its end of a pipe: it has what it wanted.
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

  /** What the system calls a pipe whose reader is gone, in the user's language. */
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
