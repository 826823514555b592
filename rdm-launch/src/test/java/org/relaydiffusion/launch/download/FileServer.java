// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A web server of this machine that counts what it is asked for. */
public final class FileServer implements AutoCloseable {
  /** What a path is answered with. */
  @FunctionalInterface
  public interface Answer {
    void send(HttpExchange exchange) throws IOException;
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, Integer> asked = new ConcurrentHashMap<>();
  private final CountDownLatch closing = new CountDownLatch(1);

  public FileServer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.start();
  }

  /** Answers {@code path} in one way. */
  public FileServer on(String path, Answer answer) {
    server.createContext(
        path,
        exchange -> {
          asked.merge(path, 1, Integer::sum);
          try (exchange) {
            answer.send(exchange);
          }
        });
    return this;
  }

  /** Answers with a whole file. */
  public FileServer file(String path, byte[] content) {
    return on(
        path,
        exchange -> {
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(content);
        });
  }

  /** Sends the first bytes of a file, and then nothing until the server is closed. */
  public FileServer stalling(String path, int bytes, long announced) {
    return on(
        path,
        exchange -> {
          exchange.sendResponseHeaders(200, announced);
          OutputStream body = exchange.getResponseBody();
          body.write(new byte[bytes]);
          body.flush();
          try {
            closing.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }

  public String url(String path) {
    return "http://127.0.0.1:%s%s".formatted(server.getAddress().getPort(), path);
  }

  /** How often a path was asked for. */
  public int asked(String path) {
    return asked.getOrDefault(path, 0);
  }

  @Override
  public void close() {
    closing.countDown();
    server.stop(0);
    threads.close();
  }
}
