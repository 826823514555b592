package org.relaydiffusion.launch.process;

/** What the launcher waits for. */
sealed interface Event permits Worker.Ended, Event.Stop, Event.Kill, Event.Said, Event.Lost {
  /**
   * Somebody asks for the end of the run.
   *
   * @param why such as {@code SIGTERM}
   * @param exitCode what the launcher answers if its ranks do not end with 0
   */
  record Stop(String why, int exitCode) implements Event {}

  /** Somebody asks again: no more waiting. */
  record Kill(String why) implements Event {}

  /** The launcher of another machine says something. */
  record Said(Message message) implements Event {}

  /**
   * The launcher of another machine is gone.
   *
   * @param who such as {@code the launcher of machine 1}
   */
  record Lost(String who) implements Event {}
}
