global using Estat.Core.Tests.Support;
global using Estat.Testing;
global using Microsoft.Extensions.Logging.Abstractions;
global using Xunit;
