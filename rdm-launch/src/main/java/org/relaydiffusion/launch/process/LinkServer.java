package org.relaydiffusion.launch.process;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.relaydiffusion.RdmException;

/** The first machine's end of the link: it hands on to each of the others what any of them says. */
final class LinkServer implements Link {
  private static final int HELLO_MILLIS = 5_000;

  /** How long the others may take to hear the last words. */
  private static final long FAREWELL_MILLIS = 3_000;

  private final Meeting meeting;
  private final Consumer<Event> events;
  private final int others;
  private final Map<Integer, LinkConnection> members = new HashMap<>();
  private boolean complete;

  private LinkServer(Meeting meeting, Consumer<Event> events) {
    this.meeting = meeting;
    this.events = events;
    this.others = meeting.machines().count() - 1;
  }

  static LinkServer open(Meeting meeting, Consumer<Event> events) {
    LinkServer server = new LinkServer(meeting, events);
    try (ServerSocket socket = new ServerSocket()) {
      server.bind(socket);
      server.gather(socket);
    } catch (IOException e) {
      server.closeAll();
      throw new RdmException("the link between launchers is broken: " + e.getMessage(), e);
    } catch (RdmException e) {
      server.closeAll();
      throw e;
    }
    return server;
  }

  private void bind(ServerSocket socket) throws IOException {
    socket.setReuseAddress(true);
    try {
      socket.bind(new InetSocketAddress(meeting.at().port()));
    } catch (IOException e) {
      throw new RdmException(
          "port %s, where the launchers meet (the ranks' port + 1), cannot be had: %s"
              .formatted(meeting.at().port(), e.getMessage()),
          e);
    }
  }

  private void gather(ServerSocket socket) throws IOException {
    socket.setSoTimeout(Meeting.LOOK_MILLIS);
    long deadline = meeting.deadline();
    meeting
        .screen()
        .say("waiting at %s for %s more machines".formatted(meeting.at().text(), others));
    while (!isComplete()) {
      if (!meeting.goesOn(deadline)) {
        throw new RdmException(
            "only %s of %s machines came to %s within %s s"
                .formatted(
                    present() + 1,
                    others + 1,
                    meeting.at().text(),
                    meeting.patience().toSeconds()));
      }
      try {
        greet(socket.accept());
      } catch (SocketTimeoutException e) {
        // Nobody in this look.
      }
    }
  }

  private synchronized int present() {
    return members.size();
  }

  /** Once all are there, each is told so, and whoever leaves from now on is missed. */
  private synchronized boolean isComplete() {
    if (members.size() < others) {
      return false;
    }
    complete = true;
    relay(new Message.Ready(), 0);
    return true;
  }

  private void greet(Socket socket) {
    LinkConnection connection;
    Message first;
    try {
      connection = new LinkConnection(socket);
    } catch (IOException e) {
      return; // Whoever it was has left at once.
    }
    try {
      first = connection.receive(HELLO_MILLIS);
    } catch (IOException e) {
      connection.close(); // No launcher.
      return;
    }
    if (!(first instanceof Message.Hello hello)) {
      connection.close();
      return;
    }
    String mistake = mistake(hello);
    if (!mistake.isEmpty()) {
      meeting.screen().say("refused a machine: " + mistake);
      connection.send(new Message.Refused(mistake));
      connection.close();
      return;
    }
    int index = hello.machines().index();
    synchronized (this) {
      members.put(index, connection);
    }
    connection.startPinging();
    connection.startReading(message -> heard(message, index), () -> lost(index));
  }

  /** What does not fit, or nothing. */
  private synchronized String mistake(Message.Hello hello) {
    Machines own = meeting.machines();
    Machines other = hello.machines();
    if (!hello.runId().equals(meeting.runId())) {
      return "it has --rdzv_id=%s, the first machine %s".formatted(hello.runId(), meeting.runId());
    }
    if (other.count() != own.count()) {
      return "it has --nnodes=%s, the first machine %s".formatted(other.count(), own.count());
    }
    if (other.processes() != own.processes()) {
      return "it has --nproc_per_node=%s, the first machine %s"
          .formatted(other.processes(), own.processes());
    }
    int index = other.index();
    if (index < 1 || index >= own.count() || members.containsKey(index)) {
      return "there is a machine with --node_rank=%s already".formatted(index);
    }
    return "";
  }

  /** One at a time, so that all launchers, this one too, hear everything in the same order. */
  private synchronized void heard(Message message, int index) {
    relay(message, index);
    events.accept(new Event.Said(message));
  }

  private synchronized void lost(int index) {
    members.remove(index);
    notifyAll();
    if (complete) { // Before that it may come again.
      String who = "the launcher of machine " + index;
      relay(new Message.Lost(who), index);
      events.accept(new Event.Lost(who));
    }
  }

  private synchronized void relay(Message message, int from) {
    members.forEach((index, connection) -> {
      if (index != from) {
        connection.send(message);
      }
    });
  }

  @Override
  public void send(Message message) {
    relay(message, 0);
  }

  @Override
  public synchronized void close() {
    // The others leave first: to close before they have read everything could lose it.
    long deadline = System.nanoTime() + FAREWELL_MILLIS * 1_000_000;
    try {
      for (long left = FAREWELL_MILLIS;
          left > 0 && !members.isEmpty();
          left = (deadline - System.nanoTime()) / 1_000_000) {
        wait(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    closeAll();
  }

  private synchronized void closeAll() {
    members.values().forEach(LinkConnection::close);
  }
}
