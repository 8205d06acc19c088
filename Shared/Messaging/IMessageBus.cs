namespace OKLA.Shared.Messaging;

/// <summary>A message that is handed to <see cref="IMessageBus.InvokeAsync(object, CancellationToken)"/>; it has exactly one handler, checked at the start.</summary>
public interface ICommand;

/// <summary>A question that is handed to <see cref="IMessageBus.InvokeAsync{T}"/>; it has exactly one handler, which answers <typeparamref name="TAnswer"/>.</summary>
/// <typeparam name="TAnswer">What the handler answers; checked at the start.</typeparam>
public interface IQuery<TAnswer>;

/// <summary>
/// The in-process bus between modules. A handler is a class whose name ends in <c>Handler</c> with a static or instance method
/// <c>Handle</c> or <c>HandleAsync</c>: the message first, then any services and a <see cref="CancellationToken"/>. What it returns
/// (one message, a sequence, a tuple) is published after it succeeded, except the value that <see cref="InvokeAsync{T}"/> answers.
/// A published message lives in memory only: what must survive a crash is an event in the log.
/// </summary>
public interface IMessageBus
{
    /// <summary>Runs the one handler of <paramref name="message"/> in a scope of its own and answers what it returned as <typeparamref name="T"/>.</summary>
    /// <exception cref="InvalidOperationException">No handler, more than one, or none of what it returned is a <typeparamref name="T"/>.</exception>
    public Task<T> InvokeAsync<T>(object message, CancellationToken ct = default);

    /// <summary>Runs the one handler of <paramref name="message"/> in a scope of its own; its exceptions reach the caller.</summary>
    /// <exception cref="InvalidOperationException">No handler, or more than one.</exception>
    public Task InvokeAsync(object message, CancellationToken ct = default);

    /// <summary>
    /// Queues <paramref name="message"/> for all its handlers (none is fine), which run in the background, each in a scope of its own.
    /// Waits while the queue is full, at most the publish time-out; then the message is dropped, counted and logged.
    /// </summary>
    public ValueTask PublishAsync(object message, CancellationToken ct = default);
}
