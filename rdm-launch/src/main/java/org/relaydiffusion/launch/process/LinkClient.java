package org.relaydiffusion.launch.process;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.function.Consumer;
import org.relaydiffusion.RdmException;

/** The link's end on every machine but the first. */
final class LinkClient implements Link {
  private static final int CONNECT_MILLIS = 5_000;

  private final LinkConnection connection;

  private LinkClient(LinkConnection connection) {
    this.connection = connection;
  }

  static LinkClient open(Meeting meeting, Consumer<Event> events) {
    LinkConnection connection = connect(meeting);
    connection.startReading(
        message ->
            events.accept(
                message instanceof Message.Lost(String who)
                    ? new Event.Lost(who)
                    : new Event.Said(message)),
        () -> events.accept(new Event.Lost("the launcher of machine 0")));
    return new LinkClient(connection);
  }

  /** Tries until the first machine is there, which may be started later than this one. */
  private static LinkConnection connect(Meeting meeting) {
    long deadline = meeting.deadline();
    String reason = "nobody answered";
    meeting.screen().say("joining the launcher at " + meeting.at().text());
    while (meeting.goesOn(deadline)) {
      Socket socket = new Socket();
      try {
        socket.connect(
            new InetSocketAddress(meeting.at().address(), meeting.at().port()), CONNECT_MILLIS);
        LinkConnection connection = new LinkConnection(socket);
        connection.send(new Message.Hello(meeting.runId(), meeting.machines()));
        connection.startPinging();
        awaitReady(connection, meeting, deadline);
        return connection;
      } catch (IOException e) {
        reason = String.valueOf(e.getMessage());
        close(socket);
        pause();
      } catch (RdmException e) {
        close(socket);
        throw e;
      }
    }
    throw new RdmException(
        "the launcher of machine 0 cannot be reached at %s within %s s: %s"
            .formatted(meeting.at().text(), meeting.patience().toSeconds(), reason));
  }

  private static void awaitReady(LinkConnection connection, Meeting meeting, long deadline)
      throws IOException {
    while (meeting.goesOn(deadline)) {
      try {
        switch (connection.receive(Meeting.LOOK_MILLIS)) {
          case Message.Ready() -> {
            return;
          }
          case Message.Refused(String why) ->
              throw new RdmException("the first machine refused this one: " + why);
          case Message.Ping() -> {
            // The others are not there yet.
          }
          default -> throw new IOException("no launcher of a run answered");
        }
      } catch (SocketTimeoutException e) {
        // The others are not there yet.
      }
    }
    throw new IOException("not all machines came");
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It is of no more use either way.
    }
  }

  private static void pause() {
    try {
      Thread.sleep(Meeting.LOOK_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Meeting.StoppedException();
    }
  }

  @Override
  public void send(Message message) {
    connection.send(message);
  }

  @Override
  public void close() {
    connection.close();
  }
}
