// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.command.InterruptedRunException;
import org.relaydiffusion.launch.command.StopSignal;

class DownloadsTest {
  private static final byte[] CONTENT = "a checkpoint".repeat(100_000).getBytes(US_ASCII);
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir private Path folder;
  private final StringWriter err = new StringWriter();
  private final StopSignal stop = new StopSignal();
  private FileServer server;

  @BeforeEach
  void startServer() throws IOException {
    server = new FileServer();
  }

  @AfterEach
  void stopServer() {
    server.close();
  }

  private Downloads downloads(boolean quiet, Duration longestSilence) {
    Console console =
        new Console(
            new PrintWriter(new StringWriter()),
            new PrintWriter(err),
            false,
            Map.of("RDM_CACHE", folder.toString()));
    return new Downloads(console, quiet, stop, longestSilence);
  }

  private Path fetch(String path) {
    return fetch(path, LONG);
  }

  private Path fetch(String path, Duration longestSilence) {
    Downloads downloads = downloads(false, longestSilence);
    SourceFile source = downloads.locate(FileLocation.parse(server.url(path)));
    downloads.fetch(source);
    return source.path();
  }

  private void assertFails(String path, String message) {
    assertThatThrownBy(() -> fetch(path, Duration.ofSeconds(2)))
        .isInstanceOf(DownloadException.class)
        .hasMessageStartingWith(server.url(path) + " cannot be downloaded: ")
        .hasMessageContaining(message)
        .satisfies(e -> assertThat(e.getMessage()).hasLineCount(1));
    assertNothingIsLeft();
  }

  /** Locks may stay. */
  private void assertNothingIsLeft() {
    try (Stream<Path> files = Files.walk(folder)) {
      assertThat(files.filter(Files::isRegularFile).map(f -> f.getFileName().toString()))
          .allMatch(".lock"::equals);
    } catch (IOException e) {
      fail(e);
    }
  }

  @Test
  void aFileIsDownloadedOnceAndKeepsItsName() throws IOException {
    server.file("/models/first%20stage.pkl", CONTENT).file("/models/first stage.pkl", CONTENT);

    Path file = fetch("/models/first%20stage.pkl");
    Path again = fetch("/models/first%20stage.pkl");

    assertThat(file).isEqualTo(again).hasBinaryContent(CONTENT).startsWith(folder);
    assertThat(file.getFileName()).hasToString("first_stage.pkl");
    assertThat(server.asked("/models/first%20stage.pkl") + server.asked("/models/first stage.pkl"))
        .isEqualTo(1);
    assertThat(err.toString().lines())
        .hasSize(2)
        .first()
        .isEqualTo("downloading %s to %s".formatted(server.url("/models/first%20stage.pkl"), file));
  }

  @Test
  void otherQueriesAreOtherFilesAndAreNotShown() {
    server.file("/file", CONTENT);

    assertThat(fetch("/file?token=secret")).isNotEqualTo(fetch("/file?token=other"));
    assertThat(server.asked("/file")).isEqualTo(2);
    assertThat(err.toString()).doesNotContain("secret");
  }

  @Test
  void quietDownloadsSayNothing() {
    server.file("/a.pt", CONTENT);

    Downloads downloads = downloads(true, LONG);
    downloads.fetch(downloads.locate(FileLocation.parse(server.url("/a.pt"))));

    assertThat(err.toString()).isEmpty();
  }

  @Test
  void redirectionsAreFollowed() {
    server
        .file("/real.pt", CONTENT)
        .on(
            "/moved.pt",
            exchange -> {
              exchange.getResponseHeaders().set("Location", server.url("/real.pt"));
              exchange.sendResponseHeaders(302, -1);
            });

    assertThat(fetch("/moved.pt")).hasBinaryContent(CONTENT).hasFileName("moved.pt");
  }

  @Test
  void circlesOfRedirectionsEnd() {
    server.on(
        "/round.pt",
        exchange -> {
          exchange.getResponseHeaders().set("Location", server.url("/round.pt"));
          exchange.sendResponseHeaders(302, -1);
        });

    assertFails("/round.pt", "the server responds with 302, a redirect that is not followed");
  }

  @Test
  void aFileThatIsNotThereIsNamed() {
    server.on("/no.pt", exchange -> exchange.sendResponseHeaders(404, -1));

    assertFails("/no.pt", "the server responds with 404 (not found)");
  }

  @Test
  void aWebPageIsNoFile() {
    server.on(
        "/page.pt",
        exchange -> {
          exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
          exchange.sendResponseHeaders(200, CONTENT.length);
          exchange.getResponseBody().write(CONTENT);
        });

    assertFails("/page.pt", "the server sends a web page instead of the file");
  }

  @Test
  void aCutConnectionLeavesNothing() {
    server.on(
        "/cut.pt",
        exchange -> {
          exchange.sendResponseHeaders(200, CONTENT.length);
          exchange.getResponseBody().write(CONTENT, 0, 1000);
          exchange.getResponseBody().flush();
          // The body is shorter than it was announced.
          throw new IOException("cut");
        });

    assertFails(
        "/cut.pt", "the connection was closed after 1000 of %s bytes".formatted(CONTENT.length));
  }

  @Test
  void aServerThatFallsSilentIsLeft() {
    server.stalling("/silent.pt", 1000, CONTENT.length);

    assertFails("/silent.pt", "the server has sent no data for 2 s");
  }

  @Test
  void aMissingHostAndAClosedPortAreNamed() throws IOException {
    String closed;
    try (FileServer other = new FileServer()) {
      closed = other.url("/a.pt");
    }
    Downloads downloads = downloads(false, LONG);

    assertThatThrownBy(() -> downloads.fetch(downloads.locate(FileLocation.parse(closed))))
        .isInstanceOf(DownloadException.class)
        .hasMessageContaining("cannot connect to 127.0.0.1:");
    assertThatThrownBy(() ->
            downloads.fetch(downloads.locate(FileLocation.parse("http://no.such.host.invalid/a"))))
        .isInstanceOf(DownloadException.class)
        .hasMessageContaining("unknown host 'no.such.host.invalid'");
  }

  private static void answerWithoutTls(ServerSocket plain) {
    try (Socket client = plain.accept()) {
      client.getOutputStream().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(US_ASCII));
      client.getOutputStream().flush();
      client.getInputStream().readAllBytes();
    } catch (IOException e) {
      // The client has gone, or the test is over.
    }
  }

  @Test
  void aServerWithoutTlsIsNoSecureOne() throws IOException {
    Downloads downloads = downloads(false, LONG);
    try (ServerSocket plain = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual()
          .start(() -> {
            // The client may try again.
            while (!plain.isClosed()) {
              answerWithoutTls(plain);
            }
          });
      String url = "https://127.0.0.1:%s/a.pt".formatted(plain.getLocalPort());

      assertThatThrownBy(() -> downloads.fetch(downloads.locate(FileLocation.parse(url))))
          .isInstanceOf(DownloadException.class)
          .hasMessageContaining("cannot establish a secure connection: ");
    }
    assertNothingIsLeft();
  }

  @Test
  void aFileLargerThanTheDiskIsRefusedAtOnce() {
    server.stalling("/large.pt", 1, Long.MAX_VALUE);

    assertThatThrownBy(() -> fetch("/large.pt"))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("needs %s bytes, but only ".formatted(Long.MAX_VALUE))
        .hasMessageEndingWith("set RDM_CACHE=DIR to use another cache folder");
    assertNothingIsLeft();
  }

  @Test
  void aFolderThatCannotBeMadeIsNamed() throws IOException {
    server.file("/a.pt", CONTENT);
    Files.writeString(folder.resolve("downloads"), "in the way");

    assertThatThrownBy(() -> fetch("/a.pt"))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("set RDM_CACHE=DIR to use another cache folder");
  }

  @Test
  void theWishToStopEndsADownloadAndLeavesNothing() throws Exception {
    server.stalling("/slow.pt", 1000, CONTENT.length);
    Future<RdmException> download = failing("/slow.pt");
    while (server.asked("/slow.pt") == 0) {
      Thread.sleep(10);
    }

    stop.request();

    // It takes milliseconds; the rest is for machines with too much to do.
    assertThat(download.get(10, TimeUnit.SECONDS)).isInstanceOf(InterruptedRunException.class);
    assertNothingIsLeft();
  }

  private CompletableFuture<RdmException> failing(String path) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            throw new AssertionError(fetch(path) + " was downloaded");
          } catch (RdmException e) {
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
            return e;
          }
        },
        Thread.ofVirtual()::start);
  }

  @Test
  void severalAtOnceDownloadOnce() throws Exception {
    server.on(
        "/shared.pt",
        exchange -> {
          exchange.sendResponseHeaders(200, CONTENT.length);
          for (int i = 0; i < CONTENT.length; i += 100_000) {
            exchange.getResponseBody().write(CONTENT, i, 100_000);
            exchange.getResponseBody().flush();
          }
        });
    List<CompletableFuture<Path>> all = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      all.add(CompletableFuture.supplyAsync(() -> fetch("/shared.pt"), Thread.ofVirtual()::start));
    }

    for (CompletableFuture<Path> each : all) {
      assertThat(each.get(60, TimeUnit.SECONDS)).hasBinaryContent(CONTENT);
    }
    assertThat(server.asked("/shared.pt")).isEqualTo(1);
  }

  @Test
  void aProcessWaitsForAnotherOnesLockAndTakesOverWhenThatEnds() throws Exception {
    server.file("/a.pt", CONTENT);
    Path target = downloads(false, LONG).locate(FileLocation.parse(server.url("/a.pt"))).path();
    Files.createDirectories(target.resolveSibling(""));
    Path left = target.resolveSibling(".a.pt.00000000-0000-0000-0000-000000000000.tmp");
    Files.writeString(left, "of a process that was killed");
    CompletableFuture<Path> waiting;
    try (FileChannel channel =
            FileChannel.open(
                target.resolveSibling(".lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock _ = channel.lock()) {
      waiting = CompletableFuture.supplyAsync(() -> fetch("/a.pt"), Thread.ofVirtual()::start);
      assertThatThrownBy(() -> waiting.get(300, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      assertThat(server.asked("/a.pt")).isZero();
    }

    assertThat(waiting.get(30, TimeUnit.SECONDS)).hasBinaryContent(CONTENT);
    assertThat(left).doesNotExist();
    assertThat(err.toString()).contains("waiting for another process to download");
  }

  @Test
  void aProxyThatIsNamedIsAsked() {
    server.file("/", CONTENT);
    Console console =
        new Console(
            new PrintWriter(new StringWriter()),
            new PrintWriter(err),
            false,
            Map.of("RDM_CACHE", folder.toString(), "http_proxy", server.url("")));
    Downloads downloads = new Downloads(console, false, stop, LONG);
    SourceFile source = downloads.locate(FileLocation.parse("http://no.such.host.invalid/a.pt"));

    downloads.fetch(source);

    assertThat(source.path()).hasBinaryContent(CONTENT);
  }

  @Test
  void aFileOfThisMachineStaysWhereItIs() throws ExecutionException {
    Downloads downloads = downloads(false, LONG);
    SourceFile source = downloads.locate(FileLocation.parse("relative/a.pkl"));

    downloads.fetch(source);

    assertThat(source.path()).isEqualTo(Path.of("relative/a.pkl"));
    assertThat(folder).isEmptyDirectory();
  }
}
