// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.launch.command.FileLocation;

/** Transfers one file from a server. */
final class HttpDownload {
  private static final int OK = 200;
  private static final int REDIRECTS = 3;
  private static final int HUNDRED = 100;
  private static final int CHUNK = 1 << 18;

  private final FileLocation.Remote source;
  private final Path target;
  private final TransferProgress progress;
  private final ProxySelector proxies;
  private final Duration longestSilence;

  HttpDownload(
      FileLocation.Remote source,
      Path target,
      TransferProgress progress,
      ProxySelector proxies,
      Duration longestSilence) {
    this.source = source;
    this.target = target;
    this.progress = progress;
    this.proxies = proxies;
    this.longestSilence = longestSilence;
  }

  /**
   * Performs the transfer.
   *
   * @throws DownloadException if the server cannot be reached or does not send the complete file
   * @throws FileException if the file cannot be written
   * @throws CancelledException if the thread is interrupted
   */
  void run() {
    // Rejects an invalid proxy, which the client would report as a failed connection.
    proxies.select(source.address());
    HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .proxy(proxies)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .connectTimeout(longestSilence)
            .build();
    try {
      HttpResponse<InputStream> response = answer(client);
      try (InputStream body = response.body()) {
        check(response);
        OptionalLong length = response.headers().firstValueAsLong("content-length");
        if (length.isEmpty() && response.headers().firstValue("transfer-encoding").isEmpty()) {
          throw new DownloadException(
              source,
              "the server does not send the length of the file, so a truncated file could not be"
                  + " detected",
              null);
        }
        requireSpace(length);
        AtomicFile.write(target, out -> transfer(body, length, out));
      } catch (IOException e) {
        throw failed(e);
      }
    } finally {
      // Do not wait: whatever the server still sends is not needed.
      client.shutdownNow();
    }
  }

  private HttpResponse<InputStream> answer(HttpClient client) {
    HttpRequest request =
        HttpRequest.newBuilder(source.address()).header("User-Agent", "rdm").build();
    // Not the timeout of the request: from JDK 26 on, it applies to the complete transfer.
    CompletableFuture<HttpResponse<InputStream>> answer =
        client.sendAsync(request, BodyHandlers.ofInputStream());
    try {
      return answer.get(longestSilence.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      answer.cancel(true);
      throw CancelledException.interrupted("downloading", e);
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw failed(new HttpTimeoutException("no response"));
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException io
          ? failed(io)
          : new IllegalStateException("a download failed", e.getCause());
    }
  }

  private void check(HttpResponse<InputStream> response) {
    int code = response.statusCode();
    if (code / HUNDRED == REDIRECTS) {
      throw new DownloadException(
          source,
          "the server responds with %s, a redirect that is not followed (%s)"
              .formatted(code, response.headers().firstValue("location").orElse("no location")),
          null);
    }
    if (code != OK) {
      throw new DownloadException(
          source, "the server responds with %s%s".formatted(code, words(code)), null);
    }
    String type = response.headers().firstValue("content-type").orElse("");
    if (type.startsWith("text/html")) {
      throw new DownloadException(
          source,
          "the server sends a web page instead of the file (content type %s)".formatted(type),
          null);
    }
  }

  private static String words(int code) {
    return switch (code) {
      case 401, 403 -> " (access denied)";
      case 404, 410 -> " (not found)";
      default -> "";
    };
  }

  private void requireSpace(OptionalLong length) {
    try {
      long free = Files.getFileStore(target.resolveSibling("")).getUsableSpace();
      if (length.isPresent() && length.getAsLong() > free) {
        throw new FileException(
            target,
            "needs %s bytes, but only %s are free; set RDM_CACHE=DIR to use another cache folder"
                .formatted(length.getAsLong(), free));
      }
    } catch (IOException e) {
      // Writing will report the error.
    }
  }

  private void transfer(InputStream body, OptionalLong length, FileChannel out) throws IOException {
    byte[] chunk = new byte[CHUNK];
    long done = 0;
    try (SilenceWatch watch = new SilenceWatch(longestSilence, body)) {
      while (true) {
        int n;
        try {
          n = body.read(chunk);
        } catch (IOException e) {
          throw cut(done, length, watch, e);
        }
        if (n < 0) {
          break;
        }
        watch.heard();
        ByteBuffer buffer = ByteBuffer.wrap(chunk, 0, n);
        while (buffer.hasRemaining()) {
          int _ = out.write(buffer);
        }
        watch.heard(); // Writing to disk may have taken a while.
        done += n;
        progress.show(done, length);
      }
    }
    if (length.isPresent() && done != length.getAsLong()) {
      throw new DownloadException(source, cutAfter(done, length), null);
    }
    progress.finished(done, target);
  }

  private RuntimeException cut(long done, OptionalLong length, SilenceWatch watch, IOException e) {
    if (Thread.currentThread().isInterrupted() || e.getCause() instanceof InterruptedException) {
      return CancelledException.interrupted("downloading", e);
    }
    return new DownloadException(
        source,
        watch.isBroken()
            ? "the server has sent no data for %s s".formatted(longestSilence.toSeconds())
            : cutAfter(done, length),
        e);
  }

  private static String cutAfter(long done, OptionalLong length) {
    return "the connection was closed after %s%s bytes"
        .formatted(done, length.isPresent() ? " of " + length.getAsLong() : "");
  }

  private RuntimeException failed(IOException e) {
    if (e instanceof ClosedByInterruptException || Thread.currentThread().isInterrupted()) {
      return CancelledException.interrupted("downloading", e);
    }
    return new DownloadException(source, reason(e), e);
  }

  private String reason(IOException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnresolvedAddressException) {
        return "unknown host '%s'".formatted(source.address().getHost());
      }
      if (cause instanceof SSLException) {
        return "cannot establish a secure connection: " + cause.getMessage();
      }
    }
    return switch (e) {
      case HttpTimeoutException _ ->
          "no response within %s s".formatted(longestSilence.toSeconds());
      case ConnectException refused ->
          "cannot connect to %s%s"
              .formatted(
                  source.address().getAuthority(),
                  refused.getMessage() == null ? "" : ": " + refused.getMessage());
      default -> AtomicFile.reason(e);
    };
  }
}
