package org.relaydiffusion.launch.process;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** What the launchers of a run on several machines tell one another. */
sealed interface Message {
  /** The longest text that is sent; what a rank failed with may be long. */
  int LONGEST_TEXT = 4000;

  /** Shows that a launcher is still there. */
  record Ping() implements Message {}

  /**
   * The first thing that is said: who comes, and what it was told about the run.
   *
   * @param runId of the run it belongs to
   * @param machines its view of them
   */
  record Hello(String runId, Machines machines) implements Message {}

  /** All launchers are there. */
  record Ready() implements Message {}

  /**
   * A launcher is not taken in.
   *
   * @param why one line
   */
  record Refused(String why) implements Message {}

  /**
   * A rank has failed, so all others must stop.
   *
   * @param attempt from 0
   * @param what one line that names the rank
   * @param exitCode what the launcher answers
   */
  record Failed(int attempt, String what, int exitCode) implements Message {}

  /**
   * Somebody has asked a launcher to stop.
   *
   * @param why such as {@code SIGTERM}
   * @param exitCode as in {@link Event.Stop}
   */
  record Stop(String why, int exitCode) implements Message {}

  /**
   * A machine has no process left in this attempt.
   *
   * @param attempt from 0
   * @param machine its index
   */
  record Ended(int attempt, int machine) implements Message {}

  /**
   * A launcher is gone.
   *
   * @param who which one
   */
  record Lost(String who) implements Message {}

  /** Writes a message that {@link #read} understands. */
  static void write(Message message, DataOutput out) throws IOException {
    switch (message) {
      case Ping() -> out.writeByte(0);
      case Hello(String runId, Machines machines) -> {
        out.writeByte(1);
        text(runId, out);
        out.writeInt(machines.count());
        out.writeInt(machines.index());
        out.writeInt(machines.processes());
      }
      case Ready() -> out.writeByte(2);
      case Refused(String why) -> {
        out.writeByte(3);
        text(why, out);
      }
      case Failed(int attempt, String what, int exitCode) -> {
        out.writeByte(4);
        out.writeInt(attempt);
        text(what, out);
        out.writeInt(exitCode);
      }
      case Stop(String why, int exitCode) -> {
        out.writeByte(5);
        text(why, out);
        out.writeInt(exitCode);
      }
      case Ended(int attempt, int machine) -> {
        out.writeByte(6);
        out.writeInt(attempt);
        out.writeInt(machine);
      }
      case Lost(String who) -> {
        out.writeByte(7);
        text(who, out);
      }
    }
  }

  private static void text(String text, DataOutput out) throws IOException {
    out.writeUTF(text.substring(0, Math.min(text.length(), LONGEST_TEXT)));
  }

  /**
   * Reads the next message.
   *
   * @throws IOException at the end of the stream, or when it is no message
   */
  static Message read(DataInput in) throws IOException {
    int kind = in.readUnsignedByte();
    return switch (kind) {
      case 0 -> new Ping();
      case 1 -> new Hello(in.readUTF(), new Machines(in.readInt(), in.readInt(), in.readInt()));
      case 2 -> new Ready();
      case 3 -> new Refused(in.readUTF());
      case 4 -> new Failed(in.readInt(), in.readUTF(), in.readInt());
      case 5 -> new Stop(in.readUTF(), in.readInt());
      case 6 -> new Ended(in.readInt(), in.readInt());
      case 7 -> new Lost(in.readUTF());
      default -> throw new IOException("unknown message " + kind);
    };
  }
}
