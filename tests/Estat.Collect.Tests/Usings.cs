global using Estat.Collect.Tests.Support;
global using Estat.Testing;
global using Microsoft.Extensions.Logging.Abstractions;
global using Xunit;
