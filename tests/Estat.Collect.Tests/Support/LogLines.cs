// What a node logged.
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Estat.Collect.Tests.Support;

/// <summary>Keeps every line with its level.</summary>
internal sealed class LogLines : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();

    /// <summary>Called at each line, by who writes it.</summary>
    internal Action? OnLine { get; set; }

    /// <summary>The lines of a level, in order.</summary>
    internal string[] Of(LogLevel level) => [.. _lines.Where(line => line.Level == level).Select(line => line.Text)];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _lines.Enqueue((logLevel, formatter(state, exception)));
        OnLine?.Invoke();
    }

    public void Dispose()
    {
    }
}
