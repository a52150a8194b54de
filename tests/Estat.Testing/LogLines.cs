// What a node logged.
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Estat.Testing;

/// <summary>Keeps every line with its level. Any thread.</summary>
public sealed class LogLines : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();

    /// <summary>Called at each line, once it is kept, by who writes it; may hold the writer, as a pipe does that nobody reads.</summary>
    public Action? OnLine { get; set; }

    /// <summary>All lines in order, each as <c>Level: message</c>.</summary>
    public IReadOnlyList<string> Lines => [.. _lines.Select(line => $"{line.Level}: {line.Text}")];

    /// <summary>The lines of a level, in order.</summary>
    public string[] Of(LogLevel level) => [.. _lines.Where(line => line.Level == level).Select(line => line.Text)];

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => this;

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        _lines.Enqueue((logLevel, formatter(state, exception)));
        OnLine?.Invoke();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
